/** Numbers of an adapter. */
export const SIZE = 64

/** What Σw·x over the sites that are there has to be: every change of it that is not an exchange is entered here. */
export class Account {
  readonly expected = new Float64Array(SIZE)

  /** `factor` −1 takes a site's part out. */
  add (mass: number, values: ArrayLike<number>, factor = 1): void {
    for (let i = 0; i < SIZE; i++) this.expected[i]! += factor * mass * values[i]!
  }
}
