import { basename, dirname, join } from 'node:path'
import { littleEndianBytes, safetensorsHeader, type NamedTensor } from '../../adapter/safetensors.ts'
import { elementCount } from '../../adapter/schema.ts'
import { writeWhole } from '../../common/write-whole.ts'
import { CorruptFileError, InputError, SchemaError } from '../../errors.ts'
import { makePrivateFolder, PRIVATE_FILE, removeLeftovers } from '../../home/files.ts'
import { MODEL_CHOICES, MODEL_NAMES, samConfig, type SamConfig } from '../../model/sam/build-sam.ts'
import { parameterCount, tensorShapes } from '../../model/sam/tensor-shapes.ts'
import { checkTied, checkTiedShapes, checkWeights, sourceNames, WeightsHash } from '../../model/sam/weights.ts'
import { BUNDLED } from './bundled-weights.ts'
import { openTensorFile } from './open-tensor-file.ts'
import { statedHash } from './stated-hash.ts'
import type { TensorFile } from './tensor-file.ts'

export interface ImportOptions {
  readonly file: string
  /** Folder of imported models. */
  readonly folder: string
  /** What the model is called here; its architecture's name if not given. */
  readonly name?: string
  /** Architecture; the one that fits the file best if not given. */
  readonly architecture?: string
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

export interface ImportedModel {
  readonly name: string
  readonly architecture: string
  readonly hash: string
  readonly parameters: number
  readonly path: string
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

/**
 * Brings a weight file (.pth or safetensors, either naming) into the folder as safetensors in the original naming, tensor by tensor,
 * written aside and renamed. Strict: InputError with the file's name and the tensor that is missing, superfluous, mis-shaped, damaged
 * or not finite (docs/spec/sam.md#strict-loading).
 */
export async function importModel (options: ImportOptions): Promise<ImportedModel> {
  try {
    return await convert(options)
  } catch (error) {
    if (error instanceof InputError || error instanceof CorruptFileError || error instanceof SchemaError) {
      throw new InputError(`${options.file} was not imported: ${error.message}`)
    }
    throw error
  }
}

async function convert ({ file, folder, name, architecture, onProgress, signal }: ImportOptions): Promise<ImportedModel> {
  const source = await openTensorFile(file)
  try {
    const { sources, tied } = sourceNames(source.shapes.keys())
    if (tied != null) checkTiedShapes(source.shapes.get(tied[0])!, source.shapes.get(tied[1])!)
    const shapes = new Map([...sources].map(([original, found]) => [original, { shape: source.shapes.get(found)! }]))
    const config = architecture == null ? closest(shapes) : samConfig(architecture)
    const own = checkName(name ?? config.name)
    checkWeights(config, shapes)
    if (tied != null) checkTied(await readTensor(source, tied[0]), await readTensor(source, tied[1]))
    const path = join(folder, `${own}.safetensors`)
    const hash = await write({
      source,
      sources,
      config,
      path,
      ...(onProgress == null ? {} : { onProgress }),
      ...(signal == null ? {} : { signal })
    })
    return { name: own, architecture: config.name, hash, parameters: parameterCount(config), path }
  } finally {
    await source.close()
  }
}

async function readTensor (source: TensorFile, name: string): Promise<NamedTensor> {
  return { shape: source.shapes.get(name)!, data: await source.read(name) }
}

function checkName (name: string): string {
  if (!NAME.test(name)) throw new InputError(`"${name}" cannot be the name of a model: use small letters, digits, dots and dashes`)
  if (BUNDLED.some((bundled) => bundled === name)) {
    throw new InputError(`${name} is the name of a bundled model: give it another with --name`)
  }
  return name
}

/** The architecture of which the most tensors are there in the right shape; the strict check then names what differs. */
function closest (shapes: ReadonlyMap<string, { readonly shape: readonly number[] }>): SamConfig {
  const scored = MODEL_NAMES.map((name) => {
    const config = samConfig(name)
    const fitting = [...tensorShapes(config)].filter(([tensor, shape]) => shapes.get(tensor)?.shape.join() === shape.join())
    return { config, score: fitting.length / tensorShapes(config).size }
  })
  const best = scored.reduce((one, other) => other.score > one.score ? other : one)
  if (best.score < 0.5) throw new InputError(`its tensors are not those of a SAM that can be used here (${MODEL_CHOICES.join(', ')})`)
  return best.config
}

interface Conversion {
  readonly source: TensorFile
  readonly sources: ReadonlyMap<string, string>
  readonly config: SamConfig
  readonly path: string
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

/** Two passes, since the hash stands in the header before the numbers that it is made of. */
async function write (conversion: Conversion): Promise<string> {
  const { config, path, source, sources, onProgress, signal } = conversion
  const shapes = [...tensorShapes(config)].sort(([one], [other]) => one < other ? -1 : 1)
  const hash = new WeightsHash()
  const total = 2 * shapes.length
  const read = async (name: string, shape: readonly number[], done: number): Promise<Float32Array> => {
    signal?.throwIfAborted()
    const data = await source.read(sources.get(name)!)
    if (data.length !== elementCount(shape)) throw new SchemaError(`tensor ${name} has ${data.length} numbers, not ${elementCount(shape)}`)
    onProgress?.(done, total)
    return data
  }
  for (const [index, [name, shape]] of shapes.entries()) {
    const data = await read(name, shape, index + 1)
    if (!data.every(Number.isFinite)) throw new SchemaError(`tensor ${name} holds a value that is not finite: the file is damaged`)
    hash.add(name, { shape, data })
  }
  const digest = hash.digest()
  await refuseOthers(path, digest)
  const header = safetensorsHeader(new Map(shapes.map(([name, shape]) => [name, { shape }])), { architecture: config.name, hash: digest })
  // One import at a time in a folder: it clears what killed ones left there.
  await makePrivateFolder(dirname(path))
  await removeLeftovers(dirname(path))
  await writeWhole(path, (async function * () {
    yield header
    for (const [index, [name, shape]] of shapes.entries()) {
      yield littleEndianBytes(await read(name, shape, shapes.length + index + 1))
    }
  })(), { mode: PRIVATE_FILE })
  return digest
}

/** A federation may count on what has this name. @throws InputError when the file holds other weights; a damaged one may be replaced */
async function refuseOthers (path: string, hash: string): Promise<void> {
  const present = await statedHash(path)
  if (present != null && present !== hash) {
    throw new InputError(
      `there is a model named ${basename(path, '.safetensors')} already, with other weights (hash ${
        present.slice(0, 12)
      }…): give this one another name with --name`
    )
  }
}
