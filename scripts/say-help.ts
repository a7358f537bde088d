/** Prints what a script does and takes, and ends it, where `--help` was asked for. */
export function sayHelp (text: string): void {
  if (!process.argv.includes('--help')) return
  process.stdout.write(text)
  process.exit(0)
}
