/** The very requests of MONAI Label's own client (PyPI, monailabel 0.8.5), byte for byte where they have a form of their own. */
const LIMIT = '----------lImIt_of_THE_fIle_eW_$'

export interface Upload { readonly field: string, readonly name: string, readonly bytes: Uint8Array }

export interface Inferred { readonly params: Record<string, unknown>, readonly name: string, readonly type: string, readonly image: Buffer }

export class MonaiClient {
  readonly #url: string
  #headers: Record<string, string> = {}

  constructor (url: string) {
    this.#url = url
  }

  async authEnabled (): Promise<boolean> {
    return (await this.#json<{ enabled: boolean }>('GET', '/auth/')).enabled
  }

  async authToken (username: string, password: string): Promise<Response> {
    const body = new URLSearchParams({ username, password, grant_type: 'password' }).toString()
    const response = await this.send('POST', '/auth/token', body, 'application/x-www-form-urlencoded')
    if (response.ok) {
      const { token_type: type, access_token: token } = await response.clone().json() as Record<string, string>
      this.#headers = { Authorization: `${type} ${token}` }
    }
    return response
  }

  async info<T> (): Promise<T> { return await this.#json('GET', '/info/') }

  async datastore<T> (): Promise<T> { return await this.#json('GET', '/datastore/?output=all') }

  async nextSample (strategy: string): Promise<{ id?: string, name?: string }> {
    return await this.#json('POST', `/activelearning/${strategy}`, JSON.stringify({ client_id: 'user-1' }), 'application/json')
  }

  async infer (model: string, image: string, params: object): Promise<Inferred> {
    const { type, body } = form({ params: JSON.stringify({ ...params, client_id: 'user-1' }) })
    const response = await this.send('POST', `/infer/${model}?image=${image}`, body, type)
    if (!response.ok) throw new Error(await response.text())
    return parsed(Buffer.from(await response.arrayBuffer()), response.headers.get('content-type')!)
  }

  async saveLabel (image: string, upload: Upload, params: object = {}): Promise<Response> {
    const { type, body } = form({ params: JSON.stringify({ ...params, client_id: 'user-1' }) }, upload)
    return await this.send('PUT', `/datastore/label?image=${image}`, body, type)
  }

  async send (method: string, path: string, body?: string | Uint8Array<ArrayBuffer>, type?: string, headers = {}): Promise<Response> {
    const all = { ...this.#headers, ...headers, ...type == null ? {} : { 'content-type': type } }
    return await fetch(this.#url + path, { method, headers: all, ...body == null ? {} : { body } })
  }

  async #json<T> (method: string, path: string, body?: string, type?: string): Promise<T> {
    const response = await this.send(method, path, body, type)
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return await response.json() as T
  }
}

function form (fields: Readonly<Record<string, string>>, upload?: Upload): { type: string, body: Uint8Array<ArrayBuffer> } {
  const lines: Uint8Array[] = []
  const line = (text: string): void => { lines.push(Buffer.from(`${text}\r\n`)) }
  for (const [key, value] of Object.entries(fields)) {
    for (const each of [`--${LIMIT}`, `Content-Disposition: form-data; name="${key}"`, '', value]) line(each)
  }
  if (upload != null) {
    line(`--${LIMIT}`)
    line(`Content-Disposition: form-data; name="${upload.field}"; filename="${upload.name}"`)
    line('Content-Type: application/octet-stream')
    line('')
    lines.push(upload.bytes)
    line('')
  }
  line(`--${LIMIT}--`)
  line('')
  return { type: `multipart/form-data; boundary=${LIMIT}`, body: Uint8Array.from(Buffer.concat(lines)) }
}

/** The parts `params` and `image` of an answer. */
function parsed (body: Buffer, type: string): Inferred {
  const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(type)![1]!
  const text = body.toString('latin1')
  const [, params, image] = text.split(`--${boundary}\r\n`)
  const [head, content] = splitOnce(image!)
  const [, json] = splitOnce(params!)
  return {
    params: JSON.parse(Buffer.from(json, 'latin1').toString()) as Record<string, unknown>,
    name: /filename="(.*)"/.exec(head)![1]!,
    type: /Content-Type: (.*)/.exec(head)![1]!,
    image: Buffer.from(content.slice(0, content.lastIndexOf(`\r\n--${boundary}--`)), 'latin1')
  }
}

function splitOnce (part: string): [head: string, content: string] {
  const at = part.indexOf('\r\n\r\n')
  return [part.slice(0, at), part.slice(at + 4)]
}
