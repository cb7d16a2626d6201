/** Live events between processes: what changed, for people who look at it. */
export {
  createLiveBell,
  type HeardChange,
  type LiveBell,
  type LiveTopic,
  liveBellLimits,
  liveRingTopic,
  liveTopics,
  type NoteChange,
  parseLiveRing,
} from './live-bell.ts';
