import { AdapterExchangeService } from './adapter-exchange.ts'
import type { AdapterExchange, AdapterExchangeComponents, AdapterExchangeInit } from './types.ts'

export type {
  AdapterExchange,
  AdapterExchangeComponents,
  AdapterExchangeEvents,
  AdapterExchangeInit,
  ExchangeFailure,
  ExchangeReport
} from './types.ts'
export type { SettledExchange } from '../outcome/talk.ts'

/**
 * libp2p service for the exchange of docs/spec/gossip.md#the-exchange: `services: { adapterExchange: adapterExchange({ federationId,
 * averaging: averager }) }`.
 */
export function adapterExchange (init: AdapterExchangeInit): (components: AdapterExchangeComponents) => AdapterExchange {
  return (components) => new AdapterExchangeService(components, init)
}
