import type { PrivacyUnit } from '../settings/privacy.ts'
import { gaussianEpsilon } from './gaussian.ts'
import { ORDERS, sampledDivergence, sampledEpsilon } from './sampled-gaussian.ts'

/** What was let out of one kind: so many releases with this noise (times the clip), each of a part `rate` of the patients. */
export interface Spending {
  readonly unit: PrivacyUnit
  readonly noise: number
  /** 1 with unit site. */
  readonly rate: number
  /** Landings with unit site, optimiser steps with unit patient. */
  readonly steps: number
}

/** Those of one kind as one. */
export function summed (spent: readonly Spending[]): Spending[] {
  const sums = new Map<string, Spending>()
  for (const each of spent) {
    const kind = [each.unit, each.noise, each.rate].join()
    sums.set(kind, { ...each, steps: each.steps + (sums.get(kind)?.steps ?? 0) })
  }
  return [...sums.values()]
}

/**
 * ε of all of it together at this δ: of unit site exactly, of unit patient by Rényi divergence; where there are both, their sum at half
 * of δ each.
 */
export function epsilonOf (spent: readonly Spending[], delta: number): number {
  const [site, patient] = [spent.filter(({ unit }) => unit === 'site'), spent.filter(({ unit }) => unit === 'patient')]
  if (patient.length === 0) return siteEpsilon(site, delta)
  if (site.length === 0) return patientEpsilon(patient, delta)
  return siteEpsilon(site, delta / 2) + patientEpsilon(patient, delta / 2)
}

function siteEpsilon (spent: readonly Spending[], delta: number): number {
  return gaussianEpsilon(Math.sqrt(spent.reduce((sum, { noise, steps }) => sum + steps / noise ** 2, 0)), delta)
}

function patientEpsilon (spent: readonly Spending[], delta: number): number {
  const divergence = ORDERS.map(() => 0)
  for (const each of spent) sampledDivergence(each).forEach((value, i) => { divergence[i]! += value })
  return sampledEpsilon(divergence, delta).epsilon
}
