import { InputError } from '../errors.ts'

/** What stands on standard input, without the white space around it. @throws InputError where it is longer than `most` characters */
export async function readStandardInput (most: number, complaint: string): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk
    if (text.length > most) throw new InputError(`what came on standard input ${complaint}: it is too long`)
  }
  return text.trim()
}
