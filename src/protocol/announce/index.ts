import { AnnounceService } from './announce.ts'
import type { Announce, AnnounceComponents, AnnounceInit } from './types.ts'

export { announceTopic } from './announce.ts'
export type { Announcement } from './announcement.ts'
export type { Announce, AnnounceComponents, AnnounceEvents, AnnounceInit } from './types.ts'

/** libp2p service for the topic of docs/spec/network.md#announcements; stands beside a gossipsub service named `pubsub`. */
export function announce (init: AnnounceInit): (components: AnnounceComponents) => Announce {
  return (components) => new AnnounceService(components, init)
}
