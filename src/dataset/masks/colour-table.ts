import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readCapped } from '../../formats/file.ts'

const MAX_BYTES = 2 ** 20
export const COLOURS_FILE = 'colours.json'

/** Label of every colour, by `#rrggbb`. */
export type ColourTable = ReadonlyMap<string, number>

const Table = z.record(z.string().regex(/^#[0-9a-f]{6}$/i), z.int().min(0).max(255))

/** The table in a data folder that says which colour of its masks is which label, if there is one. @throws InputError naming it */
export async function readColourTable (root: string): Promise<ColourTable | undefined> {
  const file = join(root, COLOURS_FILE)
  const bytes = await readCapped(file, MAX_BYTES).catch((error: unknown) => {
    if (error instanceof InputError && error.message === 'it does not exist') return undefined
    throw error instanceof InputError ? new InputError(`${file} cannot be used: ${error.message}`) : error
  })
  if (bytes == null) return undefined
  try {
    return new Map(Object.entries(Table.parse(JSON.parse(bytes.toString('utf8')))).map(([colour, label]) => [colour.toLowerCase(), label]))
  } catch {
    throw new InputError(`${file} is not a table of colours and labels: write it as { "#000000": 0, "#ff0000": 1 }`)
  }
}

/** `#rrggbb` */
export function hex (red: number, green: number, blue: number): string {
  return `#${[red, green, blue].map((value) => value.toString(16).padStart(2, '0')).join('')}`
}
