import type { Calls, CallMessage, ReplyMessage, Usage } from './messages.ts'

type Handlers<C extends Calls<C>> = { readonly [N in keyof C]: (request: C[N]['request']) => Promise<C[N]['reply']> }

/** Answers the parent's calls until it goes. */
export function serve<C extends Calls<C>> (handlers: Handlers<C>): void {
  process.on('message', ({ id, call, request }: CallMessage) => {
    const answer = (message: ReplyMessage): void => {
      process.send?.(message)
    }
    handlers[call as keyof C](request as never).then((reply) => {
      answer({ id, reply })
    }, (error: unknown) => {
      answer({ id, failure: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
    })
  })
  process.on('disconnect', () => process.exit(0))
}

export function ownUsage (): Usage {
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1e3, peakBytes: process.resourceUsage().maxRSS * 1024 }
}
