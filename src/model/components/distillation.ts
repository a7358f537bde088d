import type { HostRecord } from '../../compute/index.ts'
import type { TrainSettings } from '../../settings/training.ts'
import { distillationLoss, featureLoss } from '../objectives/distillation.ts'
import { scalar, vector } from '../train/host-records.ts'
import type { Component, PhaseStart, Term } from './component.ts'

type Settings = Pick<TrainSettings, 'lambdaG' | 'lambdaL' | 'tau' | 'warmupRounds' | 'teacherG' | 'teacherL' | 'distil'>

/**
 * In phase G the personal model teaches the global one, or the global one as the phase began; in phase L the global model teaches the
 * personal one (docs/spec/pfedsam.md#distillation).
 */
export function distillation (settings: Settings): Component {
  const { tau, distil, lambdaL, teacherL } = settings
  const term: Term = {
    name: 'distillation',
    weight: '@weight',
    loss: ({ teacher, student }) => {
      const taught = teacher()
      return distil === 'features' ? featureLoss(taught.embedding, student.embedding) : distillationLoss(taught.masks, student.masks, tau)
    }
  }
  return {
    name: 'distillation',
    terms: { G: [term], L: [term] },
    inputs: (phase, start): HostRecord => {
      if (phase === 'G') return teacherOfG(settings, start)
      return teacherL === 'none' || lambdaL === 0 ? {} : { '@weight': scalar(lambdaL) }
    }
  }
}

/** @teacherGamma, and with it @lambda where the personal model teaches; λ_G rises over the first rounds. */
function teacherOfG ({ lambdaG, warmupRounds, teacherG }: Settings, { round, gamma, experts }: PhaseStart): HostRecord {
  const weight = lambdaG * (warmupRounds === 0 ? 1 : Math.min(1, (round - 1) / warmupRounds))
  const personal = teacherG === 'personal' && experts.length > 0
  if (!(weight > 0 && (personal || teacherG === 'global'))) return {}
  return { '@teacherGamma': vector(gamma), '@weight': scalar(weight), ...(personal ? { '@lambda': vector(experts) } : {}) }
}
