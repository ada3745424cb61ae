import { Channel, OnText } from '../types.js';

export interface ChannelOpts {
  onText: OnText;
}

/** Null means: installed, but nobody has linked it yet. */
export type ChannelFactory = (opts: ChannelOpts) => Channel | null;

const factories = new Map<string, ChannelFactory>();

export function registerChannel(name: string, factory: ChannelFactory): void {
  factories.set(name, factory);
}

export function getChannelFactory(name: string): ChannelFactory | undefined {
  return factories.get(name);
}

export function getRegisteredChannelNames(): string[] {
  return [...factories.keys()];
}
