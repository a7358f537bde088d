import { createHmac } from 'node:crypto'

/** A number in [0, 1) that belongs to a subject and a seed, whoever else there is. */
export function drawOf (subject: string, seed: number): number {
  return createHmac('sha256', `consilium split ${seed}`).update(subject.normalize()).digest().readUIntBE(0, 6) / 2 ** 48
}

/** Subjects by their draw, the lowest first. */
export function byDraw (subjects: readonly string[], seed: number): string[] {
  return subjects.map((subject) => ({ subject, draw: drawOf(subject, seed) })).sort((a, b) => a.draw - b.draw).map(({ subject }) => subject)
}
