// The description of the administrators' interface (OpenAPI 3.1), made of the routes that are served.
import type { AdminRoute } from './admin-server.ts';

/** The document for `routes`. */
export function openApiOf(routes: readonly AdminRoute[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: '3.1.0',
    info: { title: 'shoal-tracker administration', version },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths,
  };
}

function operation({ path, summary, open = false }: AdminRoute): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
  const failure = { description: 'why not', content: { 'application/json': { schema: errorSchema } } };
  return {
    summary,
    parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    responses: { 200: { description: 'done' }, default: failure },
    security: open ? [] : [{ token: [] }],
  };
}

const errorSchema = { type: 'object', required: ['error'], properties: { error: { type: 'string' } } };
