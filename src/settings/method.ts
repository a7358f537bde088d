import { z } from 'zod'
import { LEAST_FACTOR, MOST_FACTOR } from '../gossip-aggregation/landing.ts'
import { pretrain } from './pretraining.ts'
import { pseudo, teacher, uncertaintyAware } from './pseudo.ts'
import { MOST_SHOWN, PUBLICATIONS } from './publication-kinds.ts'
import { count, notNegative, positive, setting } from './setting.ts'

/** What a site trains in one stretch: G fits the global parameters with what the method keeps of them, L the experts. */
export type TrainPhase = 'G' | 'L'

/** Groups of the global parameters: of the image encoder, of the mask decoder; and norms, trained only where a site keeps them. */
const GLOBAL_GROUPS = ['encoder', 'decoder', 'norms'] as const
export type GlobalGroup = typeof GLOBAL_GROUPS[number]

/** What a site serves to its own patients: the shared adapter with a part of its own update, or what it trained alone. */
export const SERVES = ['tuned', 'alone'] as const
export type Serves = typeof SERVES[number]

/** Of all sites. */
const MOST_CLUSTERS = 8
/** Fewer are persons rather than a cluster. */
const LEAST_PATIENTS = 5

/** Of a document that does not say it. */
export const DEFAULT_TAIL = 0.25

/** Sites that the shared adapter serves worst count for more (docs/spec/mixing.md#robust). */
const robust = z.strictObject({
  mu: setting(
    positive.max(1e9),
    'How alike sites count: the smaller, the more the one counts that the shared adapter serves worst; 1e9: all count by mass alone'
  ),
  excess: setting(
    z.boolean(),
    "What the shared adapter lacks at a site is counted from what the site's own model lacks there, so that labels full of mistakes draw " +
      'nothing; false: from 0'
  ),
  least: setting(z.number().min(LEAST_FACTOR).max(1), 'Least times that what a site trains counts beside its mass'),
  most: setting(z.number().min(1).max(MOST_FACTOR), 'Most times that it does')
})

/** Units of the adapter that are common or individual (docs/spec/mixing.md#units). */
const units = z.strictObject({
  update: setting(
    z.enum(['smooth', 'binary']),
    'Each unit is individual as far as it moves unlike those of the others (smooth), or a share of the units is, wholly (binary)'
  ),
  share: setting(z.number().min(0).max(1), 'Share of the units that is individual; binary alone'),
  pivot: setting(z.number().min(-1).max(1), 'Excess of unlikeness at which a unit is half individual; smooth alone'),
  slope: setting(positive.max(1_000), 'How sharply a unit becomes individual about the pivot; smooth alone'),
  warmupRounds: setting(z.number().int().min(0).max(100_000), 'First rounds, in which all units are common', { unit: 'rounds' }),
  contributes: setting(z.enum(['common', 'all']), 'What of its own move a site lands: what is common of it, or all')
})

/** What a site takes of the others' cores beside the average (docs/spec/mixing.md#relations). */
const relations = z.strictObject({
  rate: setting(positive.max(1), "Learning rate of what a site takes of each other's core"),
  pull: setting(notNegative.max(1_000), 'How strongly it is drawn to the average alone, at the beginning'),
  fade: setting(z.enum(['exponential', 'cosine']), 'How that pull falls from round to round'),
  pulled: setting(z.number().min(0).max(1), 'Part of the rounds, the first ones, in which there is a pull'),
  peers: setting(count.max(MOST_SHOWN), 'Other sites whose cores a site uses, at most', { unit: 'sites' }),
  by: setting(z.enum(['model', 'layer']), 'What a site takes is one part of the whole adapter, or a part of each layer by itself')
})

/** Sites that lead farther from the shared adapter count for more (docs/spec/mixing.md#generalisation). */
const generalisation = z.strictObject({
  step: setting(z.number().min(0).max(1), 'How far the part of a site moves in a round, in parts of an equal part; 0: all count alike')
})

/** The most that a number of a site's vector is, either way. */
export const MOST_OF_VECTOR = 4

/** Each site selects channels of the image embedding by a vector of its own (docs/spec/weak.md#site-contrast). */
const siteContrast = z.strictObject({
  size: setting(count.max(64), "Numbers of each site's vector, which it trains and announces"),
  weight: setting(
    notNegative.max(100),
    'Weight of the term that draws apart which channels sites select; 0: training is as without all of this'
  )
})

/** Of parts of the adapter, number by number, what a site takes of the average (docs/spec/weak.md#element-mix). */
const elementMix = z.strictObject({
  of: setting(z.array(z.enum(['encoder', 'decoder'])).min(1).max(2), 'Groups of the adapter that are mixed; the others are the average'),
  eta: setting(positive.max(1e6), 'Step by which what is taken of each number is learnt'),
  steps: setting(
    count.max(1_000),
    'Steps in which that is learnt when a round begins, beside those of training; at most five times as many the first time',
    { unit: 'steps' }
  ),
  tolerance: setting(notNegative.max(100), 'The first time it ends when the last ten losses deviate by less than this'),
  warmupRounds: setting(z.number().int().min(0).max(100_000), 'First rounds, in which all is taken', { unit: 'rounds' })
})

/** Steps of phase G take turns (docs/spec/weak.md#alternation). */
const alternate = z.strictObject({
  head: setting(count.max(1_000), 'Steps that train the mask tokens and what makes masks of them alone', { unit: 'steps' }),
  body: setting(count.max(1_000), 'Steps after them, that train everything else', { unit: 'steps' })
})

const PATTERN_ERROR = 'must be a regular expression, such as ^mask_decoder\\., without groups that repeat or look around, and with at ' +
  'most 3 repeats and 8 alternatives'
const pattern = z.string().min(1).max(100).refine(isPattern, { error: PATTERN_ERROR })
/** What makes the search in a name take time that doubles with its length. */
const ENDLESS = /\)[*+?{]|\(\?|\\[1-9k]/

function isPattern (text: string): boolean {
  const uses = (of: RegExp): number => text.match(of)?.length ?? 0
  if (ENDLESS.test(text) || uses(/[*+{?]/g) > 3 || uses(/\|/g) > 8) return false
  try {
    return new RegExp(text) != null
  } catch {
    return false
  }
}

/** Sites whose images are alike, by what each says of clusters of its patients (docs/spec/mixing.md#clusters). */
const clusters = z.strictObject({
  count: setting(
    z.union([z.literal('auto'), count.max(MOST_CLUSTERS)], { error: `must be auto, or a whole number from 1 to ${MOST_CLUSTERS}` }),
    'Clusters of all sites together; auto: as many as their joint graph has of itself; 1: as without clusters'
  ),
  own: setting(
    z.array(pattern).min(1).max(16),
    'Parameters that sites of one cluster alone average, by regular expressions of their names; all others are averaged by everybody'
  ),
  neighbours: setting(count.max(16), 'Clusters of patients at other sites to which one of a site is joined'),
  projection: setting(
    z.number().int().min(2).max(64),
    'Numbers that are announced of the centre of a cluster, out of what the base makes of images'
  ),
  minimum: setting(
    z.number().int().min(LEAST_PATIENTS).max(1_000),
    'Patients that a cluster has at least; a site with fewer announces none',
    { unit: 'patients' }
  )
})

/** How a federation's method differs from pFedSAM beyond model, training and averaging. */
export const method = z.strictObject({
  preset: setting(z.string().min(1).max(60).optional(), 'The preset that the founder took, for people: nothing depends on it', {
    otherwise: 'pfedsam'
  }),
  keeps: setting(
    z.array(z.enum(GLOBAL_GROUPS)).min(1).max(GLOBAL_GROUPS.length - 1).optional(),
    'Groups that stay at every site: trained with the others, never sent; "norms" are scales and shifts of the base itself, beside the ' +
      'adapter',
    { otherwise: 'none' }
  ),
  personal: setting(
    z.enum(['experts', 'copy']).optional(),
    "What serves a site's own patients: the shared adapter with the site's experts beside it; or, by images that the site holds back till" +
      ' it has chosen, the shared adapter with a part of what the site learnt on top of it, or what it trained alone',
    { otherwise: 'experts' }
  ),
  tail: setting(
    z.number().min(0).max(0.9).optional(),
    'Part of the rounds, the last ones, before which a site chooses what it serves; it counts only with a copy',
    { otherwise: String(DEFAULT_TAIL) }
  ),
  sharing: setting(
    z.array(z.enum(PUBLICATIONS)).min(1).max(PUBLICATIONS.length).optional(),
    'Kinds of publications that sites show each other beside the adapter, each where its own policy.json says "publish", too',
    { otherwise: 'none' }
  ),
  robust: robust.optional(),
  generalisation: generalisation.optional(),
  units: units.optional(),
  relations: relations.optional(),
  siteContrast: siteContrast.optional(),
  elementMix: elementMix.optional(),
  alternate: alternate.optional(),
  clusters: clusters.optional(),
  pretrain: pretrain.optional(),
  pseudo: pseudo.optional(),
  teacher: teacher.optional(),
  uncertaintyAware
})

export type MethodSettings = Readonly<z.infer<typeof method>>

export type ClusterSettings = NonNullable<MethodSettings['clusters']>

/** Undefined where all sites are one cluster, whatever they say: then nobody says anything. */
export function clustersIn (own: Pick<MethodSettings, 'clusters'> | undefined): ClusterSettings | undefined {
  return own?.clusters?.count === 1 ? undefined : own?.clusters
}
