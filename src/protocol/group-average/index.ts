import { GroupAverageService, type GroupAverage, type GroupAverageComponents, type GroupAverageInit } from './group-average.ts'

export type { GroupAverage, GroupAverageInit } from './group-average.ts'

/** libp2p service for masked groups (docs/spec/gossip.md#masked-groups). */
export function groupAverage (init: GroupAverageInit): (components: GroupAverageComponents) => GroupAverage {
  return (components) => new GroupAverageService(components, init)
}
