import { InputError } from '../../errors.ts'
import type { Samples } from '../../formats/pages/samples.ts'
import { COLOURS_FILE, hex } from './colour-table.ts'

/**
 * The palettes of the masks of one folder. Programs that shrink pictures give each its own palette, and then an index means something
 * else in every file.
 */
export class PaletteBook {
  readonly #colours = new Map<number, string>()
  readonly #indices = new Map<string, number>()
  readonly #greys = new Set<number>()

  /** The values of a mask without a palette. @throws InputError where a palette gave one of these greys another label */
  addGrey (values: Uint8Array): void {
    const present = new Uint8Array(256)
    for (const value of values) present[value] = 1
    present.forEach((is, value) => {
      if (is === 0) return
      if ((this.#indices.get(hex(value, value, value)) ?? value) !== value) throw disagreement(hex(value, value, value))
    })
    present.forEach((is, value) => { if (is === 1) this.#greys.add(value) })
  }

  /** The colour of an index. @throws InputError where another mask says otherwise */
  add (index: number, colour: string, grey: number | undefined): void {
    const known = this.#colours.get(index) ?? colour
    const elsewhere = this.#indices.get(colour) ?? index
    if (known !== colour || elsewhere !== index || (grey != null && grey !== index && this.#greys.has(grey))) throw disagreement(colour)
    this.#colours.set(index, colour)
    this.#indices.set(colour, index)
  }
}

function disagreement (colour: string): InputError {
  return new InputError(
    `the colour ${colour} has another number in its palette than in the masks before it: say which colour is which label in ${COLOURS_FILE}`
  )
}

/** Enters the colours that a mask uses into the book of its folder. */
export function checkPalette (used: readonly number[], palette: NonNullable<Samples['palette']>, book: PaletteBook | undefined): void {
  for (const index of used) {
    const colour = palette[index]
    if (colour == null) throw new InputError('the mask names colours that its palette lacks: it is damaged')
    const [red = 0, green = 0, blue = 0] = colour
    book?.add(index, hex(red, green, blue), red === green && red === blue ? red : undefined)
  }
}
