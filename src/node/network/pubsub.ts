import { gossipsub } from '@libp2p/gossipsub'
import { announceTopic } from '../../protocol/announce/index.ts'

/** Largest RPC: some announcements of 4 KiB and their control messages. */
const MAX_RPC_BYTES = 65_536
// Gossipsub counts 1 KiB for each topic besides its name.
const MAX_TOPIC_BYTES = 2_048
/** How much of anything one RPC may list. */
const MAX_LISTED = 64

/**
 * Gossipsub for the one topic of a federation; all that a peer can make it keep is bounded, and who sends what no honest site sends is
 * no longer listened to.
 */
export function boundedGossipsub (federationId: string): ReturnType<typeof gossipsub> {
  const topic = announceTopic(federationId)
  return gossipsub({
    allowPublishToZeroTopicPeers: true,
    allowedTopics: [topic],
    maxInboundDataLength: MAX_RPC_BYTES,
    maxTopicBytesPerPeer: MAX_TOPIC_BYTES,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    awaitRpcHandler: true,
    decodeRpcLimits: {
      maxSubscriptions: MAX_LISTED,
      maxMessages: MAX_LISTED,
      maxIhaveMessageIDs: 1_024,
      maxIwantMessageIDs: 1_024,
      maxIdontwantMessageIDs: MAX_LISTED,
      maxControlMessages: MAX_LISTED,
      maxPeerInfos: 16
    },
    scoreParams: {
      // Many sites may stand behind one address.
      IPColocationFactorWeight: 0,
      topics: {
        // Announcements are too few for scores by rate of delivery; only invalid ones count.
        [topic]: {
          topicWeight: 1,
          timeInMeshWeight: 0,
          firstMessageDeliveriesWeight: 0,
          meshMessageDeliveriesWeight: 0,
          meshFailurePenaltyWeight: 0,
          invalidMessageDeliveriesWeight: -20,
          invalidMessageDeliveriesDecay: 0.9
        } as never
      }
    }
  })
}
