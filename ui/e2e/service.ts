import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Store = 'shop' | 'crowd' | 'away' | 'empty';

const binary = process.env.E2E_BINARY ?? '';
const stores = JSON.parse(process.env.E2E_STORES ?? '{}') as Partial<Record<Store, string>>;

/** The real binary on one of the stores that the run was given, on a free port unless it returns to one. */
export class Service {
  private constructor(
    readonly url: string,
    /** What it said when it began: the one-time link, when there was no account. */
    readonly said: string[],
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(
    name: Store,
    at = '127.0.0.1:0',
    settings: Record<string, string> = {},
  ): Promise<Service> {
    const store = stores[name];
    if (!store) throw new Error(`this run was given no store ${name}`);
    const folder = await mkdtemp(join(tmpdir(), 'strata-console-'));
    const kept = Object.entries(process.env).filter(([variable]) => !variable.startsWith('STRATA_'));
    const child = spawn(binary, ['serve', '--listen', at, '--database-url', store], {
      env: {
        ...Object.fromEntries(kept),
        STRATA_FILES_URL: `file://${join(folder, 'files')}`,
        STRATA_INDEX_FILE: join(folder, 'index'),
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const said: string[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the service ended with ${code}: ${said.join('\n')}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        said.push(line);
        const address = /http:\/\/[^\s/]+/.exec(line)?.[0];
        if (address) resolve(address);
      });
    });
    return new Service(url, said, child, folder);
  }

  /** The address without `http://`, to come back to. */
  get address(): string {
    return new URL(this.url).host;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
