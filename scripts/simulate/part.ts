/** One question the simulation answers, and whether its bars were kept. */
export interface Part {
  readonly name: string
  run(): { readonly lines: readonly string[]; readonly ok: boolean }
}

/** Rows as a Markdown table; the first one is the head. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const [head = [], ...body] = rows
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...body.map(line)]
}

/** A bar and what was found: the line to print, and whether it holds. */
export function bar(what: string, found: number, most: number): { readonly line: string; readonly ok: boolean } {
  const ok = found <= most
  return { line: `${ok ? 'kept' : 'MISSED'}: ${what} is ${found.toFixed(3)}, the bar is ${most}`, ok }
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
