import { InputError } from '../errors.ts'
import { federationId, signFederation, writeFederation, type Federation, type FederationBody } from '../federation/document.ts'
import { loadOrCreateIdentity, readPeerId } from '../federation/identity.ts'
import { createNetworkKey } from '../federation/membership/network-key.ts'
import { withOverrides, type Overrides } from '../federation/settings.ts'
import { readIfThere } from '../home/files.ts'
import { sitePaths } from '../home/paths.ts'
import { defaultAveraging } from '../settings/averaging.ts'

export interface FederationInit {
  /** Of the founder; it must not belong to a federation yet. */
  readonly home: string
  readonly name: string
  /** Local rounds of every site. */
  readonly rounds: number
  /** Base model, as `consilium model list` names it; the bundled sam-tiny by default. */
  readonly model?: string
  /** Pixels, a multiple of 16; by default what suits the model. */
  readonly imageSize?: number
  /** Of the common start and the splits; 1 by default. */
  readonly seed?: number
  /** Longest exchange-only time after the last round; 120 by default. */
  readonly coolDownSeconds?: number
  /** What shall differ from the defaults in the document's sections model, training and averaging. */
  readonly settings?: Overrides
}

/**
 * Founds a federation with this home's key as its one founder. @throws InputError naming the setting that is wrong
 * @example
 * ```ts
 * import { createFederation } from 'consilium'
 *
 * const settings = { training: { batchSize: 2 } }
 * const { document } = await createFederation({ home: 'home', name: 'Two towns', rounds: 2, settings })
 * console.log(document.model.name, document.training.batchSize) // sam-tiny 2
 * ```
 */
export async function createFederation ({ home, name, rounds, ...init }: FederationInit): Promise<Federation> {
  const { model: base = 'sam-tiny', imageSize, seed = 1, coolDownSeconds = 120, settings = {} } = init
  const paths = sitePaths(home)
  if (await readIfThere(paths.federation) != null) {
    throw new InputError(`${paths.federation} exists already: choose another home, since replacing it would cut this site off`)
  }
  const key = await loadOrCreateIdentity(paths.identity)
  // Loaded by the first call: it brings the tensor library.
  const { checkModel, modelSection, trainingSection } = await import('./fit-settings.ts')
  const model = await modelSection(paths.models, base, imageSize)
  const draft: FederationBody = {
    version: 1,
    name,
    created: new Date().toISOString(),
    founders: [await readPeerId(paths.identity)],
    quorum: 1,
    model,
    training: trainingSection(model, { rounds, seed }),
    averaging: defaultAveraging({ coolDownSeconds })
  }
  const body = withOverrides(draft, settings, 'what createFederation was given')
  checkModel(body.model)
  const document = await signFederation(body, key)
  await createNetworkKey(paths.networkKey)
  await writeFederation(paths.federation, document)
  return { id: federationId(document), document }
}
