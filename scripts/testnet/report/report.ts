import { z } from 'zod'
import { SERVES } from '../../../src/settings/method.ts'

const score = z.number().nullable()
const count = z.number().int().nonnegative()
/** Where the method has a choice of what a site serves. */
const adaptive = { alone: score.optional(), serves: z.enum(SERVES).optional() }

const roundSchema = z.strictObject({
  round: z.number().int(),
  /** Seconds since the testnet began. */
  t: z.number(),
  global: z.number(),
  personal: z.number()
})

const hospitalSchema = z.strictObject({
  name: z.string(),
  peerId: z.string().nullable(),
  /** Finished rounds. */
  rounds: z.number().int(),
  images: z.number().int().nullable(),
  validationImages: z.number().int().nullable(),
  /** Above 1: of its training images only 1 in so many is its own, and the others are simulated copies (--images). */
  imagesFactor: z.number().int(),
  /** Training images that it went through at least once. */
  imagesSeen: count.nullable(),
  /** Steps of phase G: trained; of these, those that reached another hospital, and those that never will. */
  steps: z.strictObject({ trained: count, arrived: count, lost: count }).nullable(),
  /** Part of a round's steps that it trained at the end, above 0 to 1. */
  pace: score,
  exchanges: z.number().int(),
  /** Exchanges that it began and whose end it never learnt; null of a hospital that did not finish. */
  inDoubt: z.number().int().nullable(),
  /** Committed exchanges in round 1, 2, … */
  exchangesByRound: z.array(z.number().int()),
  bytesSent: z.number(),
  bytesReceived: z.number(),
  /** Mean over the hospital's validation images; `local`: trained alone (--compare); `alone`: what it trained alone beside the others. */
  dice: z.strictObject({ frozen: score, local: score, global: score, personal: score, ...adaptive }),
  /** Dice by class, where the federation names classes that its validation images show. */
  classes: z.record(z.string(), z.strictObject({ frozen: score, global: score, personal: score, ...adaptive })).optional(),
  eventLoopP99Ms: z.number().nullable(),
  /** null: ended by `signal`. */
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  restarts: z.number().int(),
  warnings: z.array(z.string()),
  history: z.array(roundSchema)
})

/** A hospital without labels, which reads. */
const readerSchema = z.strictObject({
  name: z.string(),
  peerId: z.string().nullable(),
  /** That its adapter is of. */
  rounds: count,
  reads: count,
  hasDice: z.boolean(),
  /** Of its adapter from the nearest of the hospitals that train, relative to what was learnt. */
  distance: score,
  /** That its model made of its images. */
  masks: count,
  /** By the ledgers of the others: steps that it brought, or kept. */
  stepsTaken: count,
  exitCode: z.number().int().nullable()
})

const checkSchema = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  /** `measure` tells about this machine or these data and does not change the exit code. */
  kind: z.enum(['result', 'measure'])
})

const crossSite = z.strictObject({ local: z.number(), global: z.number() })

/** OUT/report.json. */
export const reportSchema = z.strictObject({
  federation: z.string(),
  seed: z.number().int(),
  /** Preset of the federation. */
  method: z.string(),
  engine: z.string(),
  /** cpu, webgpu or cuda. */
  provider: z.string(),
  baseModel: z.string(),
  baseHash: z.string(),
  data: z.string(),
  /** From the first command to the report, without the training alone of --compare. */
  wallSeconds: z.number(),
  /** Of phase G in a whole round; null where rounds are epochs. */
  stepsPerRound: count.nullable(),
  hospitals: z.array(hospitalSchema),
  /** Hospitals without labels (--reader); absent where there are none. */
  readers: z.array(readerSchema).optional(),
  /** Mean Dice of site i's model on site j's validation images, j ≠ i; null without --compare. */
  crossSite: crossSite.nullable(),
  /** sqrt(mean ‖x_i − x̄‖²) / ‖x̄ − x_0‖ from saved adapters: after each round, last after the cool-down (round null). */
  consensus: z.array(z.strictObject({ t: z.number(), round: z.number().int().nullable(), sites: z.number().int(), distance: z.number() })),
  checks: z.array(checkSchema)
})

export type Report = z.infer<typeof reportSchema>
export type HospitalReport = z.infer<typeof hospitalSchema>
export type ReaderReport = z.infer<typeof readerSchema>
export type ReportCheck = z.infer<typeof checkSchema>
export type ConsensusPoint = Report['consensus'][number]
export type CrossSite = z.infer<typeof crossSite>
