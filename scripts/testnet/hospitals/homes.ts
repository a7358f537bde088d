import { join } from 'node:path'
import { z } from 'zod'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import { InputError } from '../../../src/errors.ts'
import { namesIn, readIfThere } from '../../../src/home/files.ts'
import { MetricsLog, type RoundRecord } from '../../../src/home/metrics-log.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { SERVES } from '../../../src/settings/method.ts'

const count = z.number().int().nonnegative()
const steps = z.object({ trained: count, arrived: count, lost: count })
const adaptive = { alone: z.number().optional(), serves: z.enum(SERVES).optional() }
const dice = z.object({ frozen: z.number(), global: z.number(), personal: z.number(), ...adaptive })

/** What a daemon leaves behind when it ends well. */
const summarySchema = z.object({
  name: z.string(),
  peerId: z.string(),
  rounds: z.number(),
  images: z.number(),
  validationImages: z.number(),
  imagesSeen: count,
  steps,
  pace: z.number(),
  engine: z.string(),
  provider: z.string(),
  exchanges: z.number(),
  inDoubt: z.number(),
  exchangesByRound: z.array(z.number()),
  bytesSent: z.number(),
  bytesReceived: z.number(),
  dice: dice.optional(),
  classes: z.record(z.string(), dice).optional(),
  eventLoopP99Ms: z.number(),
  warnings: z.array(z.string())
})

export type SavedSummary = z.infer<typeof summarySchema>

export interface HomeResult {
  readonly summary: SavedSummary | undefined
  readonly rounds: readonly RoundRecord[]
  readonly initial: Float32Array | undefined
  /** After the round's exchanges, by round. */
  readonly byRound: ReadonlyMap<number, Float32Array>
  /** After the cool-down. */
  readonly final: Float32Array | undefined
}

/**
 * Reads what one daemon wrote; of adapters what all sites average, but for tensors whose names match `apart`. @throws InputError when its
 * summary is not one; missing files are undefined.
 */
export async function readHome (home: string, apart: readonly string[] = []): Promise<HomeResult> {
  const paths = sitePaths(home)
  return {
    summary: await readSummary(paths.summary),
    rounds: (await MetricsLog.open(paths.metrics)).records,
    initial: await readVector(paths.initialAdapter, apart),
    byRound: await readRounds(paths.roundAdapters, apart),
    final: await readVector(paths.adapter, apart)
  }
}

async function readSummary (path: string): Promise<SavedSummary | undefined> {
  const bytes = await readIfThere(path)
  if (bytes == null) return undefined
  const parsed = summarySchema.safeParse(JSON.parse(bytes.toString('utf8')))
  if (!parsed.success) {
    throw new InputError(`${path} is not a summary: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`)
  }
  return parsed.data
}

async function readRounds (folder: string, apart: readonly string[]): Promise<Map<number, Float32Array>> {
  const names = await namesIn(folder)
  const rounds = new Map<number, Float32Array>()
  for (const name of names.sort()) {
    const round = /^round-(\d+)\.safetensors$/.exec(name)?.[1]
    const values = round == null ? undefined : await readVector(join(folder, name), apart)
    if (values != null) rounds.set(Number(round), values)
  }
  return rounds
}

/** All tensors of the file behind one another; files of one federation have them in the same order. */
async function readVector (path: string, apart: readonly string[]): Promise<Float32Array | undefined> {
  const bytes = await readIfThere(path)
  if (bytes == null) return undefined
  const isCommon = (name: string): boolean => !apart.some((pattern) => new RegExp(pattern).test(name))
  const common = [...readFloatTensors(bytes).tensors].filter(([name]) => isCommon(name))
  const tensors = common.sort(([a], [b]) => a < b ? -1 : 1).map(([, { data }]) => data)
  const values = new Float32Array(tensors.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const data of tensors) {
    values.set(data, offset)
    offset += data.length
  }
  return values
}
