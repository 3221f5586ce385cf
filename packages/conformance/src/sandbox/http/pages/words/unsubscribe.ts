/** What those who get the messages read. */
export const UNSUBSCRIBE_TEXTS = {
  unsubscribe: { en: 'Unsubscribe?', ru: 'Отписаться от рассылки?' },
  wouldEndFor: {
    en: 'If you confirm, no more messages will come to',
    ru: 'Если вы подтвердите, письма перестанут приходить на',
  },
  whyUnsubscribe: { en: 'Why? You need not say', ru: 'Почему? Можно не отвечать' },
  reasonNotInterested: { en: 'I am not interested any more', ru: 'Мне это больше не интересно' },
  reasonTooOften: { en: 'Messages come too often', ru: 'Письма приходят слишком часто' },
  reasonNeverSignedUp: { en: 'I did not sign up', ru: 'Я не подписывался на рассылку' },
  reasonOther: { en: 'Something else', ru: 'Другая причина' },
  ownWords: { en: 'In your own words', ru: 'Своими словами' },
  commentTooLong: { en: 'At the most {most} characters.', ru: 'Не больше {most} знаков.' },
  confirmUnsubscribe: { en: 'Unsubscribe', ru: 'Отписаться' },
  youAreUnsubscribed: { en: 'You are unsubscribed', ru: 'Вы отписались' },
  nothingMoreTo: { en: 'No more messages come to', ru: 'Письма больше не приходят на' },
  byMistake: {
    en: 'Was it by mistake? There is a way back.',
    ru: 'Это вышло по ошибке? Можно вернуться.',
  },
  subscribedAgain: { en: 'You are subscribed again', ru: 'Вы снова подписаны' },
  comesAgainTo: { en: 'Messages will come again to', ru: 'Письма снова будут приходить на' },
  changedYourMind: { en: 'Unsubscribe after all', ru: 'Всё-таки отписаться' },
  subscribeAgain: { en: 'Subscribe again', ru: 'Подписаться снова' },
} as const;
