/**
 * The public API: what a program embeds to run a site, or to read what a site wrote.
 * @module
 */
export { Adapter, adapterFromSafetensors, adapterToSafetensors, type AdapterMeta } from './adapter/adapter.ts'
export { readSafetensors, writeSafetensors, type NamedTensor, type StoredTensor } from './adapter/safetensors.ts'
export type { Dtype } from './adapter/safetensors-header.ts'
export { createSchema, type Schema, type TensorRole, type TensorSpec } from './adapter/schema.ts'
export type { LegendEntry } from './dataset/index.ts'
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
export { createIdentity } from './federation/create-identity.ts'
export { readFederation, type Federation, type FederationDocument } from './federation/document.ts'
export { inviteSite, type InvitationInit, type IssuedInvitation } from './federation/membership/invite-site.ts'
export { joinFederation, type JoinedFederation, type JoinInit } from './federation/membership/join-federation.ts'
export { Averager } from './gossip-aggregation/averager.ts'
export { massOf } from './gossip-aggregation/mass.ts'
export type { AveragerInit, AveragerSettings, AveragerState, Distort } from './gossip-aggregation/averager-types.ts'
export { relativeDistance } from './gossip-aggregation/consensus.ts'
export type { Landed, Steps } from './gossip-aggregation/unmixed.ts'
export { loadConfig } from './home/config/load.ts'
export type { Dice } from './home/metrics-log.ts'
export { sitePaths, type SitePaths } from './home/paths.ts'
export type { WhichRound } from './home/round-adapter.ts'
export type { BoxPrompt, PointPrompt } from './model/predict/prompts.ts'
export { siteStatus } from './node/control/site-status.ts'
export { Daemon } from './node/daemon.ts'
export type { DaemonInit } from './node/daemon-init.ts'
export type { RunConfig } from './node/site.ts'
export type { Summary } from './node/summary.ts'
export { createLogger, type Logger } from './rounds/logger.ts'
export type { AmendmentView, ConditionView, PublicationView, SitePhase, SiteStatus } from './rounds/status.ts'
export type { Mode } from './settings/model.ts'
export type { SiteConfig } from './settings/site/site-config.ts'
export { createFederation, type FederationInit } from './site-model/create-federation.ts'
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
export type { MapStack, WrittenMap } from './site-model/predict/outputs.ts'
export type { Image } from './site-model/predict/prompt.ts'
