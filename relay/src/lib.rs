//! The relay of the Suishen health wallet.
