// What a text in Prometheus' format has.

/** Names of series, those that histograms and summaries make of theirs included. */
export function exposedNames(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    names.add(name);
    if (type === 'histogram') names.add(`${name}_bucket`);
    if (type === 'histogram' || type === 'summary') for (const end of ['sum', 'count']) names.add(`${name}_${end}`);
  }
  return names;
}
