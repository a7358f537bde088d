/** A page that nobody writes by hand. */
export function page (title: string, parts: readonly string[]): string {
  return [`# ${title}`, 'Written by `npm run reference` out of the code: do not edit it here.', ...parts].join('\n\n') + '\n'
}

/** Columns in which no row says anything are left out. */
export function table (head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const used = head.map((_, column) => rows.some((row) => row[column] !== ''))
  const line = (cells: readonly string[]): string => `| ${cells.filter((_, column) => used[column]).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map((row) => line(row.map((cell) => cell.replaceAll('|', '\\|'))))].join('\n')
}

export function code (text: string): string {
  return `\`${text}\``
}
