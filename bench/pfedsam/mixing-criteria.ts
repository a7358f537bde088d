import { figure, signed, type Finding } from './finding.ts'
import type { DataSummary, MethodSummary } from './summary.ts'

const WITHIN = 0.8
/** Of Dice. */
const GAIN = 0.05
const MEAN_MARGIN = 0.01

/** What the data set says of methods by which sites learn more from some than from others; what was not run is left out. */
export function mixingFindings ({ data, noise, methods }: DataSummary): Finding[] {
  const of = (name: string): MethodSummary | undefined => methods.find(({ method }) => method === name)
  const [apple, fca, drflm] = [of('apple'), of('fca'), of('drflm')]
  const [plain, ours] = [of('fedavg-lora'), of('pfedsam-gossip')]
  return [
    ...(data === 'prostate-conflict' ? conflictFindings(apple, plain) : []),
    ...methods.flatMap(groupFindings),
    ...(fca == null || plain == null ? [] : [notBelow(fca, plain)]),
    ...(noise == null || drflm == null || ours == null ? [] : noiseFindings(drflm, ours))
  ]
}

function conflictFindings (apple: MethodSummary | undefined, plain: MethodSummary | undefined): Finding[] {
  if (apple == null) return []
  const { within, dice } = apple
  const found: Finding[] = []
  if (within != null) {
    found.push({
      name: `APPLE serves more than ${100 * WITHIN} % of sites that outline alike`,
      ok: within.mean > WITHIN,
      detail: `${figure(within.mean)} %`
    })
  }
  if (plain != null) {
    const gain = dice.mean - plain.dice.mean
    found.push({ name: `APPLE is ${100 * GAIN} points above ${plain.title}`, ok: gain >= GAIN, detail: signed(gain) })
  }
  return found
}

function groupFindings ({ title, rand }: MethodSummary): Finding[] {
  return rand == null ? [] : [{ name: `${title} finds the groups that there are`, ok: rand.mean === 1, detail: rand.mean.toFixed(2) }]
}

function notBelow (fca: MethodSummary, plain: MethodSummary): Finding {
  const gain = fca.dice.mean - plain.dice.mean
  return { name: `${fca.title} is not below ${plain.title}`, ok: gain >= 0, detail: signed(gain) }
}

function noiseFindings (drflm: MethodSummary, ours: MethodSummary): Finding[] {
  const [worst, apart] = [drflm.worst.mean - ours.worst.mean, drflm.dice.mean - ours.dice.mean]
  return [
    { name: `under noise ${drflm.title}'s worst site is above that of ${ours.title}`, ok: worst > 0, detail: signed(worst) },
    { name: 'and its mean within one point', ok: Math.abs(apart) <= MEAN_MARGIN, detail: signed(apart) }
  ]
}
