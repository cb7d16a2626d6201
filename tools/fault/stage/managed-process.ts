/** One process of the run: started, struck, started again, ended by its own id; what it says is kept in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { endWithUs, noteStarted } from './leftovers.ts';
import { until } from './until.ts';

export interface CrashReport {
  readonly crashPoint: string;
  readonly pass: number;
}

export interface ProcessPlan {
  readonly name: string;
  readonly home: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Of the run. */
  readonly folder: string;
}

/** The longest recovery that is promised, a worker's. How long it took is the run's to tell. */
const startTimeoutMs = 60_000;
const graceMs = 20_000;
/** Of a process that is told to end; the signal: before it had begun to listen for it. */
const orderlyEnds = new Set(['0', 'SIGTERM']);

export class ManagedProcess {
  readonly plan: ProcessPlan;
  /** Crash points that it reported before it fell. */
  readonly crashes: CrashReport[] = [];
  /** Ends that nobody here asked for: neither a signal of ours nor a crash point. */
  readonly surprises: string[] = [];
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #isEndWanted = true;
  #isOrderly = false;
  #said = '';
  #unended = '';

  constructor(plan: ProcessPlan) {
    this.plan = plan;
    endWithUs(() => this.pid);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Resolves when its readiness page says so; a process that falls before that is a failure only if it fell by itself. */
  async start(more: Readonly<Record<string, string>> = {}): Promise<'ready' | 'ended'> {
    if (this.#child) throw new Error(`${this.plan.name} runs already`);
    const child = spawn(process.execPath, [join(this.plan.home, 'server/src/main.ts'), 'start'], {
      env: { ...cleanEnvironment(), ...this.plan.env, PORT: String(this.plan.port), ...more },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    noteStarted(this.plan.folder, child.pid);
    this.#isEndWanted = false;
    this.#isOrderly = false;
    this.#unended = '';
    child.stderr.on('data', (chunk: Buffer) => this.#hear(chunk.toString()));
    this.#ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#child = null;
        const how = String(signal ?? code);
        if (!this.#isEndWanted) this.#beSurprised(how);
        else if (this.#isOrderly && !orderlyEnds.has(how))
          this.surprises.push(`${this.plan.name} ended with ${how} when it was told to end: ${this.#lastWords()}`);
        resolve();
      });
    });
    const isReady = await until(() => this.#child !== child || this.#isReady(), startTimeoutMs, 25);
    if (!isReady) throw new Error(`${this.plan.name} was not ready within ${startTimeoutMs} ms: ${this.#lastWords()}`);
    return this.#child === child ? 'ready' : 'ended';
  }

  /** Resolves when it is gone; false when it still runs after that time. */
  async hasEnded(withinMs: number): Promise<boolean> {
    return Promise.race([this.#ended.then(() => true), wait(withinMs, false, { ref: false })]);
  }

  async kill(): Promise<void> {
    this.#isEndWanted = true;
    this.#isOrderly = false;
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** SIGTERM, and after the grace time SIGKILL. */
  async terminate(): Promise<void> {
    this.#isEndWanted = true;
    this.#isOrderly = true;
    this.#child?.kill('SIGTERM');
    if (!(await this.hasEnded(graceMs))) {
      this.surprises.push(`${this.plan.name} did not end within ${graceMs} ms of SIGTERM`);
      await this.kill();
    }
  }

  async freeze(ms: number): Promise<void> {
    const child = this.#child;
    child?.kill('SIGSTOP');
    await wait(ms);
    child?.kill('SIGCONT');
  }

  /** The run goes on, and fails at its end. */
  #beSurprised(how: string): void {
    this.surprises.push(`${this.plan.name} ended by itself with ${how}: ${this.#lastWords()}`);
    this.start().catch((error: unknown) => this.surprises.push(String(error)));
  }

  /** Words come in pieces: a line is read once it is whole. */
  #hear(text: string): void {
    keepWords(this.plan.logFile, text);
    this.#said = (this.#said + text).slice(-4_000);
    const lines = (this.#unended + text).split('\n');
    this.#unended = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{"crashPoint"')) continue;
      this.#isEndWanted = true;
      this.#isOrderly = false;
      this.crashes.push(JSON.parse(line) as CrashReport);
    }
  }

  #lastWords(): string {
    return this.#said.trim().split('\n').slice(-3).join(' | ');
  }

  async #isReady(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(1_000);
      return (await fetch(`http://127.0.0.1:${this.plan.port}/health/ready`, { signal })).ok;
    } catch {
      // Not listening yet.
      return false;
    }
  }
}

/** A process may speak once more when its run is over: its folder is gone, and nobody is left to read that. */
function keepWords(file: string, text: string): void {
  try {
    appendFileSync(file, text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Of our own environment only what a process needs to run: no address of somebody's database or provider. */
function cleanEnvironment(): Record<string, string> {
  const wanted = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'USER'];
  return Object.fromEntries(wanted.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
