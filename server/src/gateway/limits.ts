/** Every limit of the gateway has its name here. */
const mebibyte = 1024 * 1024;

export const gatewayLimits = {
  /** Meta's webhooks reach 3 MB; one byte more than this is refused with 413. */
  maxBodyBytes: 3 * mebibyte,
  /** Bodies of all requests that are being read, together; beyond it 503, so that slow uploads do not fill the memory. */
  maxBufferedBytes: 192 * mebibyte,
  /** Of a body that was refused as too large, this much is read and thrown away, so that the client sees the answer. */
  maxDrainedBytes: 16 * mebibyte,
  maxDrainMs: 5_000,
  /** What a 503 asks for. */
  retryAfterSeconds: 5,
  /** Longer than the window in which a signed time stamp is believed, on both sides of now. */
  nonceWindowMs: 15 * 60 * 1000,
  /** Ids of accounts that are looked at in the body of a shared route to choose whose secret to try. */
  maxPeekedIds: 32,
  maxTokenLength: 256,
  maxInstanceLength: 128,
  /** Of an address or account of Twilio's that is looked up; theirs have some thirty characters. */
  maxPartyLength: 128,
  /** Targets whose reading is remembered; longer ones are read each time. */
  maxRememberedPaths: 10_000,
  maxRememberedPathLength: 512,
} as const;

/** For the one listener that the gateway shares with the API; far below Node's defaults. */
export const listenerLimits = {
  /** All request headers. */
  headersTimeout: 10_000,
  /** The whole request with its body. */
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
  maxConnections: 10_000,
  noDelay: true,
  /** Repeated headers are joined, none is dropped: the delivery is kept as it came. */
  joinDuplicateHeaders: true,
} as const;
