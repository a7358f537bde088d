/** One sentence of the trainer for the log of its site; it names nothing of the site's images. */
export function say (sentence: string): void {
  process.stderr.write(`consilium: ${sentence}\n`)
}
