import type { AccountFields, Capabilities } from '../channel.ts';

/**
 * Meta, "Instagram platform: messaging" and "Messenger platform: rate limits". Text may go at 300 calls a second but
 * audio and video at 10, and one pace serves all.
 */
export const instagramCapabilities: Capabilities = {
  sends: ['text', 'image', 'video', 'audio', 'document', 'buttons'],
  canMarkRead: false,
  windowHours: 24,
  echoesAttemptId: false,
  maxTextLength: 1_000,
  maxButtons: 13,
  maxListRows: 0,
  maxButtonTitleLength: 20,
  messagesPerSecond: 10,
};

export const defaultGraphVersion = 'v24.0';

export const instagramFields: AccountFields = {
  secrets: [
    {
      name: 'accessToken',
      label: 'Access token',
      isRequired: true,
      hint: 'Token of the professional account, or of its page',
    },
    {
      name: 'appSecret',
      label: 'App secret',
      isRequired: false,
      verifies: 'signature',
      hint: 'Signs the webhooks; with Instagram Login the Instagram app’s own',
    },
    {
      name: 'verifyToken',
      label: 'Verify token',
      isRequired: false,
      verifies: 'challenge',
      hint: 'Text you choose for the GET challenge',
    },
  ],
  settings: [
    {
      name: 'instagramId',
      label: 'Instagram account ID',
      accepts: /^\S{1,64}$/,
      isRequired: true,
      binds: 'instagram_id',
      hint: 'user_id of the account, as it comes as entry.id in webhooks',
    },
    {
      name: 'baseUrl',
      label: 'Base URL',
      placeholder: 'https://…',
      accepts: /^https?:\/\/[^\s]+$/,
      isRequired: false,
      isUrl: true,
      hint: 'https://graph.instagram.com if empty; graph.facebook.com with a page token',
    },
    {
      name: 'graphVersion',
      label: 'Graph API version',
      placeholder: 'v24.0',
      accepts: /^v\d{1,2}\.\d$/,
      isRequired: false,
      hint: `Version of the Graph API, ${defaultGraphVersion} if empty`,
    },
  ],
  // The fields of 'Instagram platform: webhooks'.
  webhookEvents: ['messages', 'messaging_postbacks', 'messaging_seen', 'message_reactions', 'comments', 'mentions'],
};
