/** One thing that the experiment was to show, and whether it does. */
export interface Finding { readonly name: string, readonly ok: boolean, readonly detail: string }

/** Dice in points. */
export function figure (dice: number): string {
  return (100 * dice).toFixed(1)
}

export function signed (dice: number): string {
  return `${dice < 0 ? '−' : '+'}${figure(Math.abs(dice))} points`
}
