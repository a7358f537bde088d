/** The public API: what a program embeds to run a site, or to read what a site wrote. */
export { Adapter, adapterFromSafetensors, adapterToSafetensors, type AdapterMeta } from './adapter/adapter.ts'
export { readSafetensors, writeSafetensors, type NamedTensor, type StoredTensor } from './adapter/safetensors.ts'
export { createSchema, type Schema, type TensorSpec } from './adapter/schema.ts'
export {
  CorruptFileError,
  InputError,
  ProtocolError,
  RefusedError,
  SchemaError,
  TimeoutError,
  TrainerError,
  UnreachableError,
  UsageError
} from './errors.ts'
export { Averager, massOf } from './gossip-aggregation/averager.ts'
export { relativeDistance } from './gossip-aggregation/consensus.ts'
export { loadConfig } from './home/config/load.ts'
export type { SiteConfig } from './settings/site/site-config.ts'
export { Daemon, type DaemonInit } from './node/daemon.ts'
export { readFederation, type Federation, type FederationDocument } from './federation/document.ts'
export { createLogger, type Logger } from './rounds/logger.ts'
export { sitePaths, type SitePaths } from './home/paths.ts'
export {
  openPredictor,
  type Prediction,
  type Predictor,
  type PredictorInit,
  type PredictRequest,
  type Prompt,
  type Segmented,
  type SegmentRequest
} from './site-model/open-predictor.ts'
export type { Summary } from './node/summary.ts'
