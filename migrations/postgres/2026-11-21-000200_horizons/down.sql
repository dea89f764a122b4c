DROP TABLE horizons;
