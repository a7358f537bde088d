import { homedir } from 'node:os'
import { join } from 'node:path'
import { printable, printableLine } from '../common/printable.ts'

export const homeFlag = {
  home: {
    type: 'string',
    describe: 'folder that holds everything of this site',
    default: join(homedir(), '.consilium'),
    defaultDescription: '~/.consilium'
  }
} as const
export const jsonFlag = { json: { type: 'boolean', describe: 'print one JSON object instead of text', default: false } } as const

export const roundFlag = {
  round: { type: 'string', describe: 'whose global adapter: last, best by the scores of all sites, or a number', default: 'last' }
} as const

/** What holds of the personalised model with an adapter of before. */
export const EXPERTS_OF_NOW = 'the private experts are those of now, which were fitted to the last adapter: only the global model is ' +
  'what it was in that round'

/** Prints `value` as JSON, or `text` for a person. */
export function print (json: boolean, value: unknown, text: string | (() => string)): void {
  printLines(json ? JSON.stringify(value) : typeof text === 'string' ? text : text())
}

let begun = false

/** Prints text of one or more lines. */
export function printLines (text: string): void {
  printPart(printable(text) + '\n')
}

/** A part of what a command prints, as it is. */
export function printPart (text: string): void {
  begun = true
  process.stdout.write(text)
}

/** Says what failed as the one JSON object of a command; nothing where that object, or a part of it, is out already. */
export function printError (error: string): void {
  if (!begun) print(true, { error }, '')
}

/** ", at 40 % of a round's steps", or nothing for whoever keeps up. */
export function describePace (pace = 1): string {
  return pace < 1 ? `, at ${Math.round(100 * pace)} % of a round's steps to keep up` : ''
}

/** ", without labels: it only reads and has no Dice", or nothing for whoever trains. */
export function describeReads (reads = false): string {
  return reads ? ', without labels: it only reads and has no Dice' : ''
}

/** ", 40 of 48 steps arrived", or nothing where they are not known. */
export function describeArrived (steps: { readonly trained: number, readonly arrived: number } | undefined): string {
  return steps == null ? '' : `, ${steps.arrived} of ${steps.trained} training steps arrived`
}

/** One sentence for the person at the terminal, apart from what the command prints. */
export function warn (sentence: string): void {
  process.stderr.write(`consilium: ${printableLine(sentence)}\n`)
}
