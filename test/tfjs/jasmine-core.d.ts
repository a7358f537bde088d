/** What the runner uses of jasmine-core 3.99, which brings no types. */
declare module 'jasmine-core' {
  interface SpecResult {
    readonly fullName: string
    readonly status: 'passed' | 'failed' | 'pending' | 'excluded'
    readonly failedExpectations: ReadonlyArray<{ readonly message: string }>
  }

  interface Env {
    configure (configuration: { random: boolean, specFilter: (spec: { getFullName: () => string }) => boolean }): void
    addReporter (reporter: { specDone: (result: SpecResult) => void, jasmineDone: () => void }): void
    execute (): void
  }

  const jasmineRequire: { boot: (self: typeof jasmineRequire) => { getEnv: () => Env } }
  export default jasmineRequire
}
