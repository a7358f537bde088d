import type { ConnectionEncrypter } from '@libp2p/interface'
import type { Doubling } from '../common/doubling.ts'
import type { Software } from '../protocol/versions.ts'
import type { Logger } from '../rounds/logger.ts'
import type { RunConfig } from './site.ts'
import type { TestFaults } from './test-faults/settings.ts'

/** What a daemon runs with. */
export interface DaemonInit {
  readonly home: string
  readonly config: RunConfig
  /** Train without the network and end after the last round. */
  readonly alone: boolean
  readonly logger: Logger
  /** Sentences about the home, from before the start: said, and kept for status. */
  readonly news?: readonly string[]
  /** Called once the site listens, with what says its state in a sentence. */
  readonly onListening?: (state: () => string) => void
  /** Module of the trainer process; the real one when missing. */
  readonly trainerEntry?: string
  readonly trainerBackOff?: Doubling
  /** Sees the plain bytes of every connection; for the test that looks for private ones among them. */
  readonly tap?: (encrypter: ConnectionEncrypter) => ConnectionEncrypter
  /** How long after its start a site that knows nobody waits to be found, milliseconds. */
  readonly foundWithinMs?: number
  /** What a testnet makes this site suffer. */
  readonly faults?: TestFaults | undefined
  /** Another version that this site is to be, for the test of two that cannot talk. */
  readonly software?: Software
}
