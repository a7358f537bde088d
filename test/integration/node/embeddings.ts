import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { type NamedTensor } from '../../../src/adapter/safetensors.ts'
import { createEngine } from '../../../src/compute/index.ts'
import { openBase } from '../../../src/experiment/run-job.ts'
import { settingsOf } from '../../../src/experiment/jobs.ts'
import { createSharedLearner } from '../../../src/experiment/run-method.ts'
import { EmbeddingCache } from '../../../src/model/predict/embedding-cache.ts'
import { fitSlice } from '../../../src/dataset/index.ts'
import { pooled, projected } from '../../../src/site-model/image-clusters.ts'

/**
 * What the untrained base makes of the grey, square pictures of a site: what moments and clusters that may be told of are made of; with the
 * LoRA of an adapter if one is given.
 */
export async function embeddingsOf (
  folder: string,
  side: number,
  trained?: ReadonlyMap<string, NamedTensor>
): Promise<Map<string, NamedTensor>> {
  const engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' })
  const base = await openBase()
  const job = { data: 'fundus-phantom', method: 'fedavg-lora', seed: 1, rounds: 1, train: 1, validation: 1, scoreEvery: 1 } as const
  const learner = createSharedLearner({ engine, base, settings: settingsOf(job, base.config) })
  const cache = new EmbeddingCache({ memoryBytes: 0 })
  const adapter = learner.initialAdapter()
  // Of the decoder, features have nothing.
  for (const [name, { data }] of trained == null ? [] : adapter.tensors()) {
    if (name.startsWith('image_encoder.')) data.set(trained!.get(name)!.data)
  }
  const segmenter = learner.segmenter({ adapter, mode: trained == null ? 'frozen' : 'global', cache })
  const embeddings = new Map<string, NamedTensor>()
  for (const name of await readdir(join(folder, 'images'))) {
    const image = Uint8Array.from(await sharp(join(folder, 'images', name)).toColourspace('b-w').raw().toBuffer())
    const mask = new Uint8Array(side ** 2)
    const slice = { id: name, subject: name, index: 0, height: side, width: side, channels: 1, image, mask } as const
    const { shape, data } = await segmenter.embedding(await fitSlice(slice, base.config.imageSize))
    embeddings.set(name, { shape: [...shape], data: Float32Array.from(data) })
  }
  await Promise.all([segmenter.dispose(), learner.dispose()])
  await engine.dispose()
  return embeddings
}

/** The same as the points that are clustered. */
export function pointsOf (embeddings: ReadonlyMap<string, NamedTensor>, projection: number): Map<string, NamedTensor> {
  return new Map([...embeddings].map(([name, embedding]) => {
    const data = Float32Array.from(projected(pooled(embedding), projection, 1))
    return [name, { shape: [data.length], data }]
  }))
}
