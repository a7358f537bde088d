import { z } from 'zod'
import { LEAST_FACTOR, MOST_FACTOR } from '../gossip-aggregation/landing.ts'
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
  units: units.optional(),
  relations: relations.optional(),
  pseudo: pseudo.optional(),
  teacher: teacher.optional(),
  uncertaintyAware
})

export type MethodSettings = Readonly<z.infer<typeof method>>
