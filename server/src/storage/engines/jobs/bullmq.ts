/** The package: two hundred files and as many of its own dependencies, for those who enqueue or work. */
import { once } from '#kernel';

export const loadBullmq = once(() => import('bullmq'));
