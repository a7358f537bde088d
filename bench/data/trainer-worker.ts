/** What a site's trainer does before its first round: the model, the data, their split. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { modelSection, trainingSection } from '../../src/site-model/fit-settings.ts'
import { openTrainerSession } from '../../src/site-model/trainer/session.ts'

const [, , data] = process.argv
const store = await mkdtemp(join(tmpdir(), 'consilium-bench-'))
try {
  const model = await modelSection(store, 'sam-tiny', undefined)
  await openTrainerSession({
    model,
    training: trainingSection(model, { rounds: 1, seed: 1 }),
    data: data!,
    axis: 'auto',
    privateStore: store,
    models: store,
    compute: { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' },
    siteSeed: 1
  }, () => {})
} finally {
  await rm(store, { recursive: true })
}
process.exit()
