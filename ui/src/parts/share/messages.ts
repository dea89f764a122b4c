import { define } from '../../text';

export const share = define(
  'share',
  {
    title: 'Share of all users',
    about:
      'A larger share keeps everyone who is in; a smaller one lets those go who came in last by position. Members by hand stay. What is foretold is exact, and nothing changes before you apply it.',
    percent: 'Share in percent',
    percentHint: '0 to 100, with at most 4 decimals',
    slider: 'Share of all users, in percent',
    cannot: 'This segment cannot be given to a share of users',
    preview: 'What it would change',
    enter: 'Enter',
    leave: 'Leave',
    after: 'Members afterwards',
    shareAfter: 'Share of all afterwards',
    nobody:
      'Nobody would enter or leave: whoever the share would bring is in already, and members by hand or by import stay.',
    apply: 'Give to {{percent}}',
    applied: '{{slug}}: {{added}} entered, {{removed}} left',
    confirm: 'Give {{slug}} to {{percent}} of all users',
    confirmAbout_one:
      '{{shown}} user leaves the segment, and {{added}} enter. Afterwards it has {{after}} members.',
    confirmAbout_other:
      '{{shown}} users leave the segment, and {{added}} enter. Afterwards it has {{after}} members.',
  },
  {
    title: 'Доля от всех пользователей',
    about:
      'При увеличении доли все участники остаются; при уменьшении выходят те, кто по позиции вошёл последним. Добавленные вручную остаются. Подсчёт точный, и до применения ничего не меняется.',
    percent: 'Доля в процентах',
    percentHint: 'От 0 до 100, не более 4 знаков после запятой',
    slider: 'Доля от всех пользователей в процентах',
    cannot: 'Этот сегмент нельзя выдать доле пользователей',
    preview: 'Что изменится',
    enter: 'Войдут',
    leave: 'Выйдут',
    after: 'Участников станет',
    shareAfter: 'Доля от всех станет',
    nobody:
      'Никто не войдёт и не выйдет: все, кого добавила бы доля, уже в сегменте, а добавленные вручную и импортом остаются.',
    apply: 'Выдать доле {{percent}}',
    applied: '{{slug}}: вошли {{added}}, вышли {{removed}}',
    confirm: 'Выдать {{slug}} доле {{percent}} от всех пользователей',
    confirmAbout_one:
      '{{shown}} пользователь выйдет из сегмента, войдут {{added}}. Участников станет {{after}}.',
    confirmAbout_few:
      '{{shown}} пользователя выйдут из сегмента, войдут {{added}}. Участников станет {{after}}.',
    confirmAbout_many:
      '{{shown}} пользователей выйдут из сегмента, войдут {{added}}. Участников станет {{after}}.',
    confirmAbout_other:
      '{{shown}} пользователя выйдут из сегмента, войдут {{added}}. Участников станет {{after}}.',
  },
);
