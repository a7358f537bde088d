/** What the promised figures are for, by base: the medical one learns in fewer steps, each of which takes longer. */
export const STANDARD = {
  'sam-tiny': { rounds: 24, seconds: 180, create: [] },
  litemedsam: { rounds: 8, seconds: 600, create: ['--model', 'litemedsam', '--image-size', '128'] }
} as const satisfies Record<string, { rounds: number, seconds: number, create: readonly string[] }>

export type Base = keyof typeof STANDARD
