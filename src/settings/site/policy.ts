import { z } from 'zod'
import { sections } from '../federation-settings.ts'
import { PUBLICATIONS } from '../publication-kinds.ts'
import { bare, count, positive, setting } from '../setting.ts'

const CLOCK_TIME = 'must be a time of day such as 20:00'
const clockTime = z.string(CLOCK_TIME).regex(/^([01]\d|2[0-3]):[0-5]\d$/, CLOCK_TIME)
const RULE = 'must say least, most or only'

/** What a setting of a document may be. One that a document does not say is beyond it, unless `only` holds null. */
const rule = z.strictObject({
  least: z.number().optional(),
  most: z.number().optional(),
  only: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).min(1).optional()
}).refine((said) => Object.keys(said).length > 0, RULE)

export type PolicyRule = z.infer<typeof rule>

const documentRules = z.record(z.string(), rule).superRefine((rules, context) => {
  for (const name of Object.keys(rules)) {
    if (!isDocumentSetting(name)) context.addIssue({ code: 'custom', path: [name], message: 'is no setting of a federation' })
  }
})

/** What a site holds to beyond any document of a federation: the lines of its policy.json. */
export const policy = z.strictObject({
  document: setting(
    documentRules.optional(),
    'Settings of the federation\'s document by name, each with least, most or only: what may leave, masses, methods, rounds, privacy',
    { otherwise: 'none: any document' }
  ),
  bytesPerDay: setting(
    positive.optional(),
    'Most bytes that exchanges send from midnight to midnight (UTC): once they are spent, none is begun or answered until the next day',
    { unit: 'bytes', otherwise: 'any number' }
  ),
  hours: setting(
    z.strictObject({ from: clockTime, to: clockTime }).refine(({ from, to }) => from !== to, 'must not begin when it ends').optional(),
    'Time of day, by this machine\'s clock, in which phases of training begin; exchanges go on outside it',
    { otherwise: 'any time' }
  ),
  crossScores: setting(
    z.boolean().optional(),
    'Whether "consilium cross-evaluate" tells all sites its signed scores on this site\'s validation images: means over at least five ' +
      'patients with their intervals',
    { otherwise: 'false: they stay here' }
  ),
  partners: setting(
    count.optional(),
    'Other members that must be connected for exchanges: with fewer, what a site sends could be told apart',
    { unit: 'members', otherwise: 'any number' }
  ),
  publish: setting(
    z.array(z.enum(PUBLICATIONS)).optional(),
    'Publications that this site shows to the others, of the kinds in method.sharing of the document; what has left cannot be called back',
    { otherwise: 'none' }
  )
})

export type Policy = Readonly<z.infer<typeof policy>>

export const NO_POLICY: Policy = {}

/** Whether documents have a setting of this name, such as averaging.maxMass. */
function isDocumentSetting (name: string): boolean {
  const [section = '', ...keys] = name.split('.')
  let type: z.core.$ZodType | undefined = Object.hasOwn(sections, section) ? sections[section as keyof typeof sections] : undefined
  for (const key of keys) {
    const inner: z.core.$ZodType | undefined = type == null ? undefined : bare(type)
    type = inner instanceof z.ZodObject && Object.hasOwn(inner.shape, key) ? inner.shape[key] as z.core.$ZodType : undefined
  }
  return keys.length > 0 && type != null
}
