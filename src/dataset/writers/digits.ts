/** Digits of 3×5 pixels, one octal digit per row: captions must not depend on the fonts of a machine. */
const GLYPHS = ['75557', '26227', '71747', '71717', '55711', '74717', '74757', '71122', '75757', '75717']

/** Calls `set` for each lit pixel of a number drawn `scale` times enlarged with its top left corner at (x, y). */
export function drawNumber (number: number, x: number, y: number, scale: number, set: (x: number, y: number) => void): void {
  for (const [place, digit] of [...String(number)].entries()) {
    for (const [row, bits] of [...GLYPHS[Number(digit)]!].entries()) {
      for (let column = 0; column < 3; column++) {
        if ((Number(bits) & (4 >> column)) !== 0) fill(x + (place * 4 + column) * scale, y + row * scale, scale, set)
      }
    }
  }
}

function fill (left: number, top: number, scale: number, set: (x: number, y: number) => void): void {
  for (let y = top; y < top + scale; y++) {
    for (let x = left; x < left + scale; x++) set(x, y)
  }
}
