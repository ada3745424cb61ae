export interface Incoming {
  id: string;
  chat: string;
  sender: string;
  text: string;
  at: string;
}

export interface Channel {
  name: string;
  connect(): Promise<void>;
  sendMessage(chat: string, text: string): Promise<void>;
  isConnected(): boolean;
  disconnect(): Promise<void>;
}
