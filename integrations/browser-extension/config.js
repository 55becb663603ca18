globalThis.openChatConfig = {"browser":"chromium","crm_origins":[],"schemes":["tel","callto","sms","smsto","sip","skype","viber","whatsapp","tg","wa.me","api.whatsapp.com","t.me"],"url":""};
