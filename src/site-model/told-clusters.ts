import { join } from 'node:path'
import { readFloatTensors, writeSafetensors } from '../adapter/safetensors.ts'
import type { Fitted } from '../dataset/index.ts'
import { CorruptFileError } from '../errors.ts'
import { NO_CHECKSUM, requireChecksum, withChecksum } from '../home/checksum.ts'
import { makePrivateFolder, readIfThere, writeFileSafely } from '../home/files.ts'
import type { Learner } from '../model/train/learner.ts'
import type { TrainerReady, TrainerSetup } from '../rounds/trainer-messages.ts'
import { clustersIn } from '../settings/method.ts'
import { imageClusters } from './image-clusters.ts'

type Facts = NonNullable<TrainerReady['facts']>

interface Told {
  readonly facts?: Facts
  readonly warnings: readonly string[]
}

/**
 * What a site tells of clusters of its patients, made once and kept: made anew after one patient came or went, the difference would tell
 * of that patient alone. Nothing where the method asks none, or while there are too few patients.
 */
export async function toldClusters (
  { method, training: { seed }, privateStore }: Pick<TrainerSetup, 'method' | 'training' | 'privateStore'>,
  learner: Learner,
  samples: readonly Fitted[]
): Promise<Told> {
  const clusters = clustersIn(method)
  if (clusters == null) return { warnings: [] }
  const { projection, minimum, neighbours } = clusters
  const path = join(privateStore, 'clusters.safetensors')
  const of = JSON.stringify([projection, minimum, neighbours, seed, learner.schema.baseHash])
  try {
    const kept = await readKept(path, of)
    if (kept != null) return { facts: kept, warnings: [] }
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    return { warnings: [`${path} is damaged (${error.message}): this site tells nothing of its patients; remove it to have it made anew`] }
  }
  const facts = await imageClusters(learner, samples, { ...clusters, seed })
  if (facts == null) return { warnings: [] }
  await makePrivateFolder(privateStore)
  const tensors = Object.entries(facts).map(([name, data]) => [name, { shape: [data.length], data }] as const)
  await writeFileSafely(path, withChecksum([writeSafetensors(new Map(tensors), { of, ...NO_CHECKSUM })])[0]!)
  return { facts, warnings: [] }
}

async function readKept (path: string, of: string): Promise<Facts | undefined> {
  const bytes = await readIfThere(path)
  if (bytes == null) return undefined
  requireChecksum(bytes)
  const { tensors, metadata } = readFloatTensors(bytes)
  return metadata['of'] === of ? Object.fromEntries([...tensors].map(([name, { data }]) => [name, data])) : undefined
}
