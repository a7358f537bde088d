import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { InputError, UsageError } from '../../../../src/errors.ts'
import { loadConfig, mergeIntoConfigFile, mergeSettings, settingsFromEnvironment } from '../../../../src/home/config/load.ts'

describe('configuration', () => {
  let folder: string

  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  it('lets a flag win over the environment and that over the file', () => {
    const merged = mergeSettings({ threads: 1, nice: 1, name: 'file' }, { threads: '2', nice: '2' }, { threads: 3, name: undefined })
    expect(merged).to.include({ threads: 3, nice: 2, name: 'file' })
  })

  it('has defaults that work', () => {
    expect(mergeSettings({}, {}, {})).to.deep.equal({
      axis: 'auto',
      correctionWeight: 2,
      pacsCache: 16_384,
      listen: ['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws'],
      announce: [],
      bootstrap: [],
      relay: false,
      reverseProxy: [],
      amendments: 'ask',
      renewCertificates: true,
      waitFor: 2,
      aloneRounds: 3,
      controlPort: 0,
      engine: 'auto',
      provider: 'auto',
      memory: 'auto',
      threads: 0,
      embeddingCache: 1024,
      nice: 10,
      notifyAloneHours: 12,
      logLevel: 'info',
      pictures: 5,
      withoutLabels: false
    })
  })

  it('reads the environment: CONSILIUM_ and capitals, lists by commas, empty means unset', () => {
    const settings = settingsFromEnvironment({
      CONSILIUM_LOG_LEVEL: 'debug',
      CONSILIUM_BOOTSTRAP: '/ip4/10.0.0.1/tcp/1,/ip4/10.0.0.2/tcp/1',
      CONSILIUM_NAME: '',
      CONSILIUM_DEBUG: '1'
    })
    expect(settings).to.deep.equal({ logLevel: 'debug', bootstrap: ['/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/tcp/1'] })
  })

  it('takes an address and a port for metrics, and nothing near it', () => {
    for (const metricsListen of ['0.0.0.0:9465', '[::]:9465', '127.0.0.1:0']) {
      expect(mergeSettings({ metricsListen }, {}, {}).metricsListen).to.equal(metricsListen)
    }
    for (const metricsListen of ['', '9465', ':9465', '0.0.0.0', '0.0.0.0:70000', '::1:9465', 'localhost:9465', '1.2.3:80', '1.2.3.4:1/']) {
      expect(() => mergeSettings({}, {}, { metricsListen }), metricsListen)
        .to.throw(UsageError, '--metrics-listen must be an address of this machine and a port, such as 0.0.0.0:9465')
    }
  })

  it('names every wrong setting at once, as it was given, and what is wanted', () => {
    expect(() =>
      mergeSettings({ colour: 'red', data: 7 }, { logLevel: 'loud' }, { nice: 40, engine: 'abacus', bootstrap: ['nope'] }, '/a/config.json')
    ).to.throw(
      UsageError,
      [
        'wrong settings: /a/config.json: data must name a folder',
        '--bootstrap must be addresses such as /ip4/10.0.0.5/tcp/4001',
        '--engine must be auto, onnx, tensorflow, wasm or cpu, not abacus',
        '--nice must be a whole number from 0 to 19',
        'CONSILIUM_LOG_LEVEL must be trace, debug, info, warn, error or silent, not loud',
        '/a/config.json: there is no setting colour'
      ].join('; ')
    )
    for (const value of [['/foo'], ['/ip4/10.0.0.5/tcp/4001', '10.0.0.5'], [''], ['/'], []]) {
      expect(() => mergeSettings({}, {}, { listen: value }), String(value)).to.throw(
        UsageError,
        /^wrong settings: --listen must be addresses such as/
      )
    }
    for (const value of [NaN, -1, -1.5, 1.5, 1_025, 'abc']) {
      expect(() => mergeSettings({}, {}, { threads: value })).to.throw(
        UsageError,
        /^wrong settings: --threads must be a whole number from 0 to 1024$/
      )
    }
    for (const value of [-1, 'much']) {
      expect(() => mergeSettings({ embeddingCache: value }, {}, {})).to.throw(
        InputError,
        /^wrong settings: config\.json: embeddingCache must be a whole number from 0$/
      )
    }
  })

  it('says in which file a setting is wrong', async () => {
    const file = join(folder, 'config.json')
    await writeFile(file, '{ "listen": "/ip4/0.0.0.0/tcp/0", "threds": 1 }')
    const error = await loadConfig(file, {}, {}).then(() => undefined, (reason: Error) => reason)
    expect(error?.message).to.equal(
      `wrong settings: ${file}: listen must be addresses such as /ip4/10.0.0.5/tcp/4001; ${file}: there is no setting threds`
    )
  })

  it('merges new settings into the file and keeps the rest', async () => {
    const file = join(folder, 'config.json')
    await writeFile(file, '{ "name": "Mercy" }')
    await mergeIntoConfigFile(file, { bootstrap: ['/ip4/10.0.0.1/tcp/1'] })
    expect(JSON.parse(await readFile(file, 'utf8'))).to.deep.equal({ name: 'Mercy', bootstrap: ['/ip4/10.0.0.1/tcp/1'] })
    expect(await loadConfig(file, {}, {})).to.include({ name: 'Mercy' })
  })

  it('says which file is not JSON', async () => {
    const file = join(folder, 'config.json')
    for (const text of ['{', '[]', '"text"']) {
      await writeFile(file, text)
      const error = await loadConfig(file, {}, {}).then(() => undefined, (reason: Error) => reason)
      expect(error?.message).to.equal(`${file} is not a JSON object: mend it or remove it`)
    }
  })
})
