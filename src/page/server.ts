import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import fastify, { type FastifyInstance } from 'fastify'
import { messageOf } from '../common/message-of.ts'
import { InputError } from '../errors.ts'
import { STYLE } from '../report/style.ts'
import { guard } from './guard.ts'
import { SHELL } from './shell.ts'
import { SiteView, type SiteViewInit } from './site-view.ts'

interface PageInit extends SiteViewInit {
  /** 0 for any that is free. */
  readonly port: number
  /** Told what went wrong inside, in one sentence, which may name files of the home. */
  readonly onFailure: (sentence: string) => void
}

/**
 * The page of one site, for this machine alone: a process of its own, which may show pixels, asks the daemon and reads the home, and has
 * no way to another site.
 */
export class PageServer {
  readonly #app: FastifyInstance
  /** Where a browser opens it: the token stands behind #, which no browser sends. */
  readonly url: string

  private constructor (app: FastifyInstance, url: string) {
    this.#app = app
    this.url = url
  }

  /** @throws InputError for a port that is taken */
  static async start (init: PageInit): Promise<PageServer> {
    const token = randomBytes(24).toString('base64url')
    const app = fastify({ bodyLimit: 1_024, requestTimeout: 10_000 })
    const script = await readScript()
    // What holds nothing of the site.
    const open = { '/': ['html', SHELL], '/page.js': ['javascript', script], '/page.css': ['css', STYLE] } as const
    guard(app, { token, open: Object.keys(open) })
    for (const [path, [type, text]] of Object.entries(open)) {
      app.get(path, async (_request, reply) => await reply.type(`text/${type}; charset=utf-8`).send(text))
    }
    const view = new SiteView(init)
    app.get('/parts', async () => await view.parts())
    app.get('/pictures', async () => await view.pictures())
    app.setErrorHandler(async (error, _request, reply) => {
      init.onFailure(messageOf(error))
      return await reply.code(500).send({ error: 'the page cannot be made: the terminal of "consilium page" says why' })
    })
    app.setNotFoundHandler(async (_request, reply) => await reply.code(404).send({ error: 'there is nothing at this address' }))
    return new PageServer(app, `${await listen(app, init.port)}/#${token}`)
  }

  async stop (): Promise<void> {
    await this.#app.close()
  }
}

/** Works from src/ and from dist/src/. */
async function readScript (): Promise<string> {
  const read = async (up: string): Promise<string> => await readFile(new URL(`${up}assets/page.js`, import.meta.url), 'utf8')
  return await read('../../').catch(async () => await read('../../../'))
}

async function listen (app: FastifyInstance, port: number): Promise<string> {
  try {
    return await app.listen({ host: '127.0.0.1', port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new InputError(`the port ${port} is occupied: choose another with --port`)
    if (code === 'EACCES') throw new InputError(`the port ${port} is not for this user: choose one above 1023 with --port`)
    throw error
  }
}
