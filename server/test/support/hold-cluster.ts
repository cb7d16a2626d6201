/** A process to be killed: holds the cluster of a data folder and says so with one line of JSON. `node hold-cluster.ts FOLDER` */
import { silentLog } from '#kernel';
// Past the room's door, which would load the queues too: this process is started many times.
import { startEmbedded } from '../../src/storage/embedded/index.ts';

const folder = process.argv[2];
if (!folder) throw new Error('which folder?');
const cluster = await startEmbedded({ folder, log: silentLog });
const { pid, wasFound, osUser, dataFolder } = cluster;
process.stdout.write(`${JSON.stringify({ pid, wasFound, osUser, dataFolder })}\n`);
process.stdin.resume();
process.stdin.once('end', () => {
  void cluster.stop().then((isStopped) => process.stdout.write(`${JSON.stringify({ isStopped })}\n`));
});
